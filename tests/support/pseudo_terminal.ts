/**
 * A pseudo-terminal of Linux: a program in a session of its own, with the line discipline of a real
 * terminal before it (echo, line editing, Ctrl-C and Ctrl-Z as signals) and a size that can change.
 * Deno has no call for it; the C library's, through FFI, are enough. See pty(7) and tty_ioctl(4).
 *
 * It carries bytes and knows nothing of what they show: that is `terminal_screen.ts`.
 *
 * Waiting blocks a thread of Deno's pool and not this one; reading and writing never wait.
 */
import assert from "node:assert/strict";

const O_RDWR = 0o2;
const O_NOCTTY = 0o400;
const O_NONBLOCK = 0o4000;
/** A program that kept the other end of its own terminal would never be told that it is gone. */
const O_CLOEXEC = 0o2000000;
/** Of asm-generic/ioctls.h, as on x86-64 and arm64. */
const TIOCSWINSZ = 0x5414n;
const POLLIN = 1;
const POLLOUT = 4;
const POLLHUP = 16;
/** Flags, line discipline, control characters and speeds: `struct termios` of glibc. */
const TERMIOS_BYTES = 60;

/** Longest time in one wait: a thread of the pool is not kept for longer. */
const POLL_MS = 1000;
const BUFFER_BYTES = 65_536;
/** A byte that no program of ours writes. */
const MARK = 0;

const SYMBOLS = {
  posix_openpt: { parameters: ["i32"], result: "i32" },
  grantpt: { parameters: ["i32"], result: "i32" },
  unlockpt: { parameters: ["i32"], result: "i32" },
  ptsname_r: { parameters: ["i32", "buffer", "u64"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  read: { parameters: ["i32", "buffer", "u64"], result: "i64" },
  write: { parameters: ["i32", "buffer", "u64"], result: "i64" },
} as const;

/** Rows and columns of characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** Why there can be no pseudo-terminal here; undefined where there can. */
export function pseudoTerminalProblem(): string | undefined {
  if (Deno.build.os !== "linux") return "needs Linux";
  try {
    new Deno.Command("setsid", { args: ["--version"], stdout: "null" }).outputSync();
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "needs setsid of util-linux";
    throw error;
  }
}

/** Begins the session on the terminal `$0`; what came from and went to the test is 3 and 4 then. */
const OPEN = 'exec 3<&0 4>&1 <>"$0" >&0 2>&0; exec setsid --ctty /bin/sh -c "$@"';

/**
 * What leads the session, as the shell of a person does: it is there before and after the program.
 * When a leader ends, the system takes its terminal away and sets all modes back, and nobody could
 * see any more how the program left them. Ctrl-C goes to it too, and means nothing to it.
 */
const LEADER = 'trap : INT QUIT; "$0" "$@" 3<&- 4>&-; echo $? >&4; exec 4>&-; read -r _ <&3';

/** A program in the foreground of a terminal. */
export class TerminalSession implements AsyncDisposable {
  readonly #leader: Deno.ChildProcess;
  /** Its exit status, once it has ended; the session still stands then. */
  readonly exit: Promise<number>;

  /** @param leader The process that leads the session, already running. */
  constructor(leader: Deno.ChildProcess) {
    this.#leader = leader;
    this.exit = new Response(leader.stdout).text().then((status) => parseInt(status));
  }

  /** Ends the session, whatever still runs in the foreground of it. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      Deno.kill(-this.#leader.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      // It has not come as far as a session of its own.
      this.#leader.kill("SIGKILL");
    }
    await this.#leader.stdin.close().catch(() => {
      // The pipe is gone with its reader.
    });
    await Promise.all([this.#leader.status, this.exit]);
  }
}

/** One pseudo-terminal, for `await using`. */
export class PseudoTerminal implements AsyncDisposable {
  readonly #library = Deno.dlopen("libc.so.6", SYMBOLS);
  /** The terminal's own end: what a person sees and types. */
  readonly #master: number;
  /** The programs' end, held open so that the terminal outlives those that come and go. */
  readonly #slave: number;
  /** Where programs find it: `/dev/pts/…`. */
  readonly path: string;
  readonly #reading: Promise<void>;
  readonly #onOutput: (bytes: Uint8Array) => void;
  #onMark: (() => void) | undefined;

  /**
   * Opens one.
   *
   * @param onOutput Given what programs write, in order.
   * @throws {Error} If the system gives none.
   */
  constructor(size: TerminalSize, onOutput: (bytes: Uint8Array) => void) {
    const { posix_openpt, grantpt, unlockpt, ptsname_r, open } = this.#library.symbols;
    this.#master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    const name = new Uint8Array(64);
    const isReady = this.#master >= 0 && grantpt(this.#master) === 0 &&
      unlockpt(this.#master) === 0 && ptsname_r(this.#master, name, BigInt(name.length)) === 0;
    if (!isReady) throw new Error("Cannot open a pseudo-terminal");
    this.path = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    this.#slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (this.#slave < 0) throw new Error(`Cannot open ${this.path}`);
    this.resize(size);
    this.#onOutput = onOutput;
    this.#reading = this.#read();
  }

  /** Changes the size; programs in the foreground get SIGWINCH. */
  resize({ columns, rows }: TerminalSize): void {
    const size = new Uint16Array([rows, columns, 0, 0]);
    const result = this.#library.symbols.ioctl(this.#master, TIOCSWINSZ, size);
    assert.equal(result, 0, "the size of a pseudo-terminal can be set");
  }

  /** Everything that `stty -a` shows but the size, in one text that can be compared. */
  get modes(): string {
    const termios = new Uint8Array(TERMIOS_BYTES);
    assert.equal(this.#library.symbols.tcgetattr(this.#master, termios), 0);
    return termios.toHex();
  }

  /**
   * Starts a program in the foreground of a session of its own that this terminal controls.
   *
   * @param words The program and its arguments.
   * @param env All of its environment.
   */
  start(words: readonly string[], env: Readonly<Record<string, string>>): TerminalSession {
    // Deno can set neither the session nor the three descriptors of a child.
    const child = new Deno.Command("/bin/sh", {
      args: ["-c", OPEN, this.path, LEADER, ...words],
      clearEnv: true,
      env: { ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    return new TerminalSession(child);
  }

  /** Types or pastes: what the line discipline makes of it is what programs read. */
  async write(text: string): Promise<void> {
    let rest = new TextEncoder().encode(text);
    while (rest.length > 0) {
      const count = Number(
        this.#library.symbols.write(this.#master, rest, BigInt(rest.length)),
      );
      if (count > 0) rest = rest.subarray(count);
      else await this.#poll(POLLOUT);
    }
  }

  /** Resolves when all that programs have written up to now was handed on. */
  async caughtUp(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onMark = resolve;
    // It comes behind the rest, as nothing else tells what is still on its way.
    this.#library.symbols.write(this.#slave, new Uint8Array([MARK]), 1n);
    // Where the session was ended from outside the system takes nothing any more.
    await Promise.race([promise, this.#reading]);
  }

  /** Closes it; programs that still have it get SIGHUP. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#library.symbols.close(this.#slave);
    await this.#reading;
    this.#library.symbols.close(this.#master);
    this.#library.close();
  }

  /** Reads until nobody has the programs' end any more. */
  async #read(): Promise<void> {
    const buffer = new Uint8Array(BUFFER_BYTES);
    for (;;) {
      const length = BigInt(buffer.length);
      const count = Number(this.#library.symbols.read(this.#master, buffer, length));
      if (count > 0) this.#handOn(buffer.slice(0, count));
      // EIO is what a terminal reads whose programs are all gone; polled, it hangs up.
      else if (await this.#poll(POLLIN)) return;
    }
  }

  #handOn(bytes: Uint8Array): void {
    const mark = this.#onMark === undefined ? -1 : bytes.indexOf(MARK);
    this.#onOutput(mark < 0 ? bytes : bytes.filter((_, index) => index !== mark));
    if (mark >= 0) this.#onMark?.();
  }

  /** Waits a while for a chance to read or write. Returns whether everybody has hung up. */
  async #poll(events: number): Promise<boolean> {
    const request = new Uint8Array(8);
    const view = new DataView(request.buffer);
    view.setInt32(0, this.#master, true);
    view.setInt16(4, events, true);
    await this.#library.symbols.poll(request, 1n, POLL_MS);
    const happened = view.getInt16(6, true);
    return (happened & POLLHUP) !== 0 && (happened & POLLIN) === 0;
  }
}
