import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { nowNs } from "./journal.ts";

const SIZE = "192M";
const PATIENCE_MS = 5_000;

/** EXT4_IOC_SHUTDOWN without a flush of the journal: from that moment on nothing reaches the disk. */
const CUT = `
  open(my $folder, "<", $ARGV[0]) or die "open: $!";
  my $how = pack("I", 2);
  $| = 1;
  print "armed\\n";
  <STDIN>;
  ioctl($folder, 0x8004587d, $how) or die "ioctl: $!";
  print "cut\\n";`;

/** An ext4 in a file, mounted by a loop device: a disk whose power can be cut. Needs root and a mount namespace of its own. */
export class Disk {
  readonly folder: string;
  readonly #image: string;
  readonly #blank: string;
  #isMounted = false;

  constructor(scratch: string) {
    this.folder = join(scratch, "disk");
    this.#image = join(scratch, "disk.img");
    this.#blank = join(scratch, "blank.img");
    mkdirSync(this.folder);
  }

  /** Begins again with an empty file system. */
  async erase(): Promise<void> {
    await this.unmount();
    if (!existsSync(this.#blank)) {
      execFileSync("truncate", ["--size", SIZE, this.#blank]);
      execFileSync("mkfs.ext4", ["-q", "-b", "4096", this.#blank]);
    }
    // Never over the old one, which somebody may still hold.
    rmSync(this.#image, { force: true });
    execFileSync("cp", ["--sparse=always", this.#blank, this.#image]);
    this.mount();
  }

  mount(): void {
    execFileSync("mount", ["-o", "loop", this.#image, this.folder]);
    this.#isMounted = true;
  }

  /**
   * The loop device goes with it. Whoever has a file open on it was killed, but may take a moment to be gone. false: it
   * stays open; the mount is out of sight, and goes with these processes.
   */
  async unmount(): Promise<boolean> {
    const deadline = performance.now() + PATIENCE_MS;
    while (this.#isMounted) {
      const isLate = performance.now() > deadline;
      const options = isLate ? ["--lazy"] : [];
      this.#isMounted = spawnSync("umount", [...options, this.folder], { stdio: "ignore" }).status !== 0;
      if (isLate) return false;
      if (this.#isMounted) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return true;
  }

  /** Keeps what is on the disk for whoever looks into a failure; it must be erased before it is used again. */
  async keep(path: string): Promise<void> {
    await this.unmount();
    renameSync(this.#image, path);
  }

  /** A process that holds the trigger: the cut itself then takes the time of one system call. */
  async arm(): Promise<Trigger> {
    const trigger = new Trigger(this.folder);
    await trigger.says("armed");
    return trigger;
  }
}

/** Cuts the power of one disk, once. */
class Trigger {
  readonly #perl: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = "";

  constructor(folder: string) {
    this.#perl = spawn("perl", ["-e", CUT, folder], { stdio: ["pipe", "pipe", "pipe"] });
    this.#perl.stdout?.on("data", (text) => {
      this.#said += text;
    });
    this.#perl.stderr?.on("data", (text) => {
      this.#said += text;
    });
    this.#closed = once(this.#perl, "close");
  }

  /** The moment before the cut began: what was acknowledged earlier must be there. */
  async cut(): Promise<number> {
    const beforeNs = nowNs();
    this.#perl.stdin?.write("cut\n");
    await this.says("cut");
    await this.#closed;
    return beforeNs;
  }

  async says(word: string): Promise<void> {
    const closed = this.#closed.then(() => true);
    while (!this.#said.includes(`${word}\n`)) {
      const isClosed = await Promise.race([once(this.#perl.stdout ?? this.#perl, "data").then(() => false), closed]);
      if (isClosed && !this.#said.includes(`${word}\n`)) throw new Error(`the power cut failed: ${this.#said}`);
    }
  }

  /** Gives the disk free without a cut. */
  async disarm(): Promise<void> {
    this.#perl.kill("SIGKILL");
    await this.#closed;
  }
}
