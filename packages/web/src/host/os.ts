// The functions of node:os that gictrace uses.

/** Threads are the page's business: one for each file. */
export const availableParallelism = () => 1;
export const tmpdir = () => '/tmp';
