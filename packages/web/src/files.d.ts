/** Files that modules read beside themselves, as the bundler finds them (scripts/bundle-web.mjs). */
declare module 'gictrace:files' {
  /** Text by path. */
  export const FILES: Readonly<Record<string, string>>;
}

/** Of workers, whose types cannot be had together with those of pages. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}
