import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { publicPackages, type WorkspacePackage } from "./workspace.ts";

/** One public entry point of a package, and the report of all that it exports. */
export interface Entry {
  readonly package: WorkspacePackage;
  /** As an importer writes it, e.g. "@holdfast/core/driver". */
  readonly specifier: string;
  /** The declaration file. */
  readonly types: string;
  /** Where the reviewed report is kept. */
  readonly report: string;
}

export function entries(): readonly Entry[] {
  return publicPackages().flatMap((each) =>
    Object.entries(each.manifest.exports ?? {}).flatMap(([path, target]) => {
      if (typeof target === "string") return [];
      const name = path === "." ? "index" : path.slice(2).replaceAll("/", "-");
      return [
        {
          package: each,
          specifier: join(each.manifest.name, path),
          types: join(each.path, target.types),
          report: join(each.path, "api-report", `${name}.api.md`),
        },
      ];
    }),
  );
}

export interface ApiReport {
  readonly report: string;
  /** Exports without TSDoc, and what the compiler refuses. */
  readonly problems: readonly string[];
  /** Types that its signatures name and that it does not export itself. */
  readonly notExported: readonly string[];
}

/** What the entry point exports now. */
export function reportOf(entry: Entry): ApiReport {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-api-"));
  try {
    const problems: string[] = [];
    const notExported: string[] = [];
    const config = ExtractorConfig.prepare({
      configObject: configFor(entry, folder),
      configObjectFullPath: undefined,
      packageJsonFullPath: join(entry.package.path, "package.json"),
    });
    Extractor.invoke(config, {
      localBuild: true,
      messageCallback: (message) => {
        const named = message.messageId === "ae-forgotten-export" ? message.text.match(/"(.*?)"/)?.[1] : undefined;
        if (named !== undefined) notExported.push(named);
        else if (message.logLevel === ExtractorLogLevel.Error) problems.push(message.formatMessageWithLocation(folder));
        message.handled = true;
      },
    });
    const report = readFileSync(join(folder, "report.api.md"), "utf8").replaceAll("\r\n", "\n");
    return { report, problems: [...problems, ...undocumented(report)], notExported };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function readReport(entry: Entry): string {
  try {
    return readFileSync(entry.report, "utf8");
  } catch {
    return "";
  }
}

export function writeReport(entry: Entry): void {
  mkdirSync(join(entry.package.path, "api-report"), { recursive: true });
  writeFileSync(entry.report, reportOf(entry).report);
}

/** The names that a report says are exported. */
export function exportedNames(report: string): readonly string[] {
  return [...report.matchAll(/^export (?:abstract )?(?:class|const|function|interface|type) (\w+)/gm)].flatMap(
    ([, name]) => name ?? [],
  );
}

/** Exports at the top level whose declaration has no TSDoc. */
function undocumented(report: string): readonly string[] {
  return [...report.matchAll(/^\/\/ @public \(undocumented\)\n(.*)$/gm)].map(([, line]) => `without TSDoc: ${line}`);
}

type Config = Parameters<typeof ExtractorConfig.prepare>[0]["configObject"];

function configFor(entry: Entry, folder: string): Config {
  const none = { logLevel: ExtractorLogLevel.None };
  return {
    projectFolder: entry.package.path,
    mainEntryPointFilePath: entry.types,
    compiler: { tsconfigFilePath: join(entry.package.path, "tsconfig.json") },
    apiReport: { enabled: true, reportFileName: "report.api.md", reportFolder: folder, reportTempFolder: folder },
    docModel: { enabled: false },
    dtsRollup: { enabled: false },
    tsdocMetadata: { enabled: false },
    messages: {
      compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
      extractorMessageReporting: {
        default: none,
        // A type that callers meet and cannot name.
        "ae-forgotten-export": { logLevel: ExtractorLogLevel.Error },
      },
      tsdocMessageReporting: { default: none },
    },
  };
}
