// A file system for SQLite over the files in memory of host/fs.ts. One thread uses it, so there are no locks.
import { type MemoryFile, makeMemoryFile, memoryFile, rmSync } from '../host/fs.ts';
import type { Sqlite3 } from './module.ts';

export const VFS = 'gictrace';
const SECTOR_BYTES = 4096;

/** Registers the file system. */
export function installVfs({ capi, wasm, vfs: helper }: Sqlite3): void {
  const open = new Map<number, { readonly file: MemoryFile; readonly remove: string | undefined }>();
  const fallback = new capi.sqlite3_vfs(capi.sqlite3_vfs_find(null));
  const io = new capi.sqlite3_io_methods();
  const vfs = new capi.sqlite3_vfs();
  vfs.$iVersion = 2;
  vfs.$szOsFile = capi.sqlite3_file.structInfo.sizeof;
  vfs.$mxPathname = 512;
  vfs.$zName = wasm.allocCString(VFS);
  for (const name of ['$xRandomness', '$xSleep', '$xCurrentTime', '$xCurrentTimeInt64'] as const)
    vfs[name] = fallback[name]!;
  fallback.dispose();
  io.$iVersion = 1;
  const of = (pointer: number) => open.get(pointer)!;
  let unnamed = 0;
  const fileMethods = {
    xClose(pointer: number) {
      const { remove } = of(pointer);
      if (remove !== undefined) rmSync(remove);
      open.delete(pointer);
      return 0;
    },
    xRead(pointer: number, to: number, count: number, at: bigint) {
      const into = wasm.heap8u().subarray(to, to + count);
      const read = of(pointer).file.read(into, 0, count, Number(at));
      if (read === count) return 0;
      into.fill(0, read);
      return capi.SQLITE_IOERR_SHORT_READ;
    },
    xWrite(pointer: number, from: number, count: number, at: bigint) {
      of(pointer).file.write(wasm.heap8u().subarray(from, from + count), Number(at));
      return 0;
    },
    xTruncate(pointer: number, size: bigint) {
      of(pointer).file.truncate(Number(size));
      return 0;
    },
    xSync: () => 0,
    xFileSize(pointer: number, to: number) {
      wasm.poke(to, BigInt(of(pointer).file.size), 'i64');
      return 0;
    },
    xLock: () => 0,
    xUnlock: () => 0,
    xCheckReservedLock(_pointer: number, to: number) {
      wasm.poke(to, 0, 'i32');
      return 0;
    },
    xFileControl: () => capi.SQLITE_NOTFOUND,
    xSectorSize: () => SECTOR_BYTES,
    xDeviceCharacteristics: () => 0,
  };
  const vfsMethods = {
    xOpen(_vfs: number, name: number, pointer: number, flags: number, outFlags: number) {
      const path = name === 0 ? `/unnamed-${++unnamed}` : wasm.cstrToJs(name);
      const file = flags & capi.SQLITE_OPEN_CREATE ? makeMemoryFile(path) : memoryFile(path);
      if (file === undefined) return capi.SQLITE_CANTOPEN;
      open.set(pointer, { file, remove: flags & capi.SQLITE_OPEN_DELETEONCLOSE ? path : undefined });
      const handle = new capi.sqlite3_file(pointer);
      handle.$pMethods = io.pointer;
      handle.dispose();
      if (outFlags !== 0) wasm.poke(outFlags, flags, 'i32');
      return 0;
    },
    xDelete(_vfs: number, name: number) {
      rmSync(wasm.cstrToJs(name));
      return 0;
    },
    xAccess(_vfs: number, name: number, _flags: number, to: number) {
      const found = memoryFile(wasm.cstrToJs(name)) !== undefined;
      wasm.poke(to, Number(found), 'i32');
      return 0;
    },
    xFullPathname(_vfs: number, name: number, count: number, to: number) {
      return wasm.cstrncpy(to, name, count) < count ? 0 : capi.SQLITE_CANTOPEN;
    },
    xGetLastError: () => 0,
  };
  helper.installVfs({
    io: { struct: io, methods: fileMethods },
    vfs: { struct: vfs, methods: vfsMethods },
  });
}
