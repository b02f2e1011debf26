// The functions of node:fs that gictrace uses, over files in memory, and over files that the user has dropped, which are
// read where they are. Only for threads: a dropped file is read synchronously.
import { Buffer } from 'buffer';

const PAGE_BYTES = 1 << 18;

/** What a file descriptor reads, and perhaps writes. */
interface Content {
  readonly size: number;
  /** Copies up to `length` bytes at `position` into `into` and returns how many. */
  read(into: Uint8Array, at: number, length: number, position: number): number;
}

/** A file in memory, in pages. */
export class MemoryFile implements Content {
  size = 0;
  private readonly pages: Uint8Array[] = [];

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const end = Math.min(this.size, position + length);
    let from = position;
    while (from < end) {
      const offset = from % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - offset, end - from);
      const page = this.pages[(from - offset) / PAGE_BYTES]!;
      into.set(page.subarray(offset, offset + count), at + from - position);
      from += count;
    }
    return Math.max(0, end - position);
  }

  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    while (this.pages.length * PAGE_BYTES < end) this.pages.push(new Uint8Array(PAGE_BYTES));
    for (let to = position; to < end; ) {
      const offset = to % PAGE_BYTES;
      const count = Math.min(PAGE_BYTES - offset, end - to);
      const from = to - position;
      this.pages[(to - offset) / PAGE_BYTES]!.set(bytes.subarray(from, from + count), offset);
      to += count;
    }
    this.size = Math.max(this.size, end);
  }

  truncate(size: number): void {
    this.pages.length = Math.ceil(size / PAGE_BYTES);
    if (size < this.size && size % PAGE_BYTES !== 0) this.pages.at(-1)!.fill(0, size % PAGE_BYTES);
    this.size = Math.min(this.size, size);
  }

  /** The content, without a copy of it as a whole. */
  blob(): Blob {
    const parts = this.pages.map((page, k) =>
      page.subarray(0, Math.min(PAGE_BYTES, this.size - k * PAGE_BYTES)),
    );
    return new Blob(parts as Uint8Array<ArrayBuffer>[]);
  }
}

/** A file on the user's disk. */
class DroppedFile implements Content {
  readonly size: number;
  private readonly file: Blob;
  private readonly reader = new FileReaderSync();

  constructor(file: Blob) {
    this.file = file;
    this.size = file.size;
  }

  read(into: Uint8Array, at: number, length: number, position: number): number {
    const bytes = this.reader.readAsArrayBuffer(this.file.slice(position, position + length));
    into.set(new Uint8Array(bytes), at);
    return bytes.byteLength;
  }
}

const files = new Map<string, Content>();
const open: (Content | undefined)[] = [undefined, undefined, undefined];
/** Where writes without a position go. */
const positions: number[] = [0, 0, 0];

type Path = string | URL;
const nameOf = (path: Path) => (typeof path === 'string' ? path : decodeURIComponent(path.pathname));

function fault(code: string, path: Path): Error {
  return Object.assign(new Error(`${code}: ${nameOf(path)}`), { code });
}

/** The file in memory at `path`, if there is one. */
export function memoryFile(path: string): MemoryFile | undefined {
  const file = files.get(path);
  return file instanceof MemoryFile ? file : undefined;
}

/** The file in memory at `path`, which is made if there is none. */
export function makeMemoryFile(path: string): MemoryFile {
  const file = memoryFile(path) ?? new MemoryFile();
  files.set(path, file);
  return file;
}

/** Puts a file of the user at `path`, for reading. */
export function mount(path: string, file: Blob): void {
  files.set(path, new DroppedFile(file));
}

/** Puts text at `path`. */
export function put(path: string, text: string): void {
  makeMemoryFile(path).write(new TextEncoder().encode(text), 0);
}

export const constants = { O_RDONLY: 0, O_NONBLOCK: 0, COPYFILE_FICLONE: 0 };

export function existsSync(path: Path): boolean {
  return files.has(nameOf(path));
}

export function openSync(path: Path, flags: string | number = 'r'): number {
  const name = nameOf(path);
  if (typeof flags === 'string' && flags.startsWith('w')) {
    if (flags.includes('x') && files.has(name)) throw fault('EEXIST', path);
    files.set(name, new MemoryFile());
  }
  const content = files.get(name);
  if (content === undefined) throw fault('ENOENT', path);
  positions.push(0);
  return open.push(content) - 1;
}

function contentOf(fd: number): Content {
  const content = open[fd];
  if (content === undefined) throw fault('EBADF', `${fd}`);
  return content;
}

export function closeSync(fd: number): void {
  contentOf(fd);
  open[fd] = undefined;
}

export function readSync(
  fd: number,
  into: Uint8Array,
  at: number,
  length: number,
  position: number | null,
): number {
  const from = position ?? positions[fd]!;
  const count = contentOf(fd).read(into, at, length, from);
  if (position === null) positions[fd] = from + count;
  return count;
}

export function writeSync(fd: number, bytes: Uint8Array, at = 0): number {
  const content = contentOf(fd);
  if (!(content instanceof MemoryFile)) throw fault('EBADF', `${fd}`);
  const rest = bytes.subarray(at);
  content.write(rest, positions[fd]!);
  positions[fd]! += rest.length;
  return rest.length;
}

export function fsyncSync(): void {}

interface Stats {
  readonly size: number;
  readonly dev: number;
  readonly ino: number;
  readonly mtimeMs: number;
  isFile(): boolean;
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isSymbolicLink(): boolean;
}
const no = () => false;
const numbers = new WeakMap<Content, number>();
let last = 0;

function statsOf(content: Content): Stats {
  const ino = numbers.get(content) ?? ++last;
  numbers.set(content, ino);
  return {
    size: content.size,
    dev: 1,
    ino,
    mtimeMs: 0,
    isFile: () => true,
    isDirectory: no,
    isFIFO: no,
    isSocket: no,
    isSymbolicLink: no,
  };
}

export function fstatSync(fd: number): Stats {
  return statsOf(contentOf(fd));
}

export function statSync(path: Path, options: { readonly throwIfNoEntry?: boolean } = {}): Stats | undefined {
  const content = files.get(nameOf(path));
  if (content !== undefined) return statsOf(content);
  if (options.throwIfNoEntry === false) return undefined;
  throw fault('ENOENT', path);
}
export const lstatSync = statSync;
export const realpathSync = nameOf;

export function renameSync(from: Path, to: Path): void {
  const content = files.get(nameOf(from));
  if (content === undefined) throw fault('ENOENT', from);
  files.delete(nameOf(from));
  files.set(nameOf(to), content);
}

export function rmSync(path: Path): void {
  files.delete(nameOf(path));
}
export const unlinkSync = rmSync;

export function copyFileSync(from: Path, to: Path): void {
  const bytes = readFileSync(from);
  makeMemoryFile(nameOf(to)).write(bytes as Uint8Array, 0);
}

export function readFileSync(file: Path | number, encoding?: 'utf8'): Buffer | string {
  const content = typeof file === 'number' ? contentOf(file) : files.get(nameOf(file));
  if (content === undefined) throw fault('ENOENT', file as Path);
  const bytes = Buffer.alloc(content.size);
  content.read(bytes, 0, content.size, 0);
  return encoding === undefined ? bytes : bytes.toString(encoding);
}

/** A stream of a file is never needed: sources are read by worker/source.ts. */
export function createReadStream(path: Path): never {
  throw fault('ENOSYS', path);
}
