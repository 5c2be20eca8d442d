import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./workspace.ts";

const skeleton = join(root, "tools/checks/fixtures/new-adapter");

/** Writes the package of an adapter that is yet to be written into `folder`/packages. Gives the path of each file. */
export function makeAdapter(name: string, folder: string): readonly string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new Error("the name must be of lowercase letters, digits and single hyphens, such as linked-files");
  }
  const target = join(folder, "packages", name);
  if (existsSync(target)) throw new Error(`packages/${name} is there already`);
  const type = name.replaceAll(/(?:^|-)([a-z0-9])/g, (_, first: string) => first.toUpperCase());
  return readdirSync(skeleton, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(skeleton.length))
    .filter((path) => !/[\\/](node_modules|dist)[\\/]/.test(path))
    .sort()
    .map((path) => {
      const written = join(target, path);
      const text = readFileSync(join(skeleton, path), "utf8");
      mkdirSync(dirname(written), { recursive: true });
      writeFileSync(written, text.replaceAll("Example", type).replaceAll("example", name));
      return written;
    });
}
