// What a browser does not have: processes, threads of Node, streams of Node. What is here is never reached; it satisfies the
// imports of modules of which the page uses other parts.

function absent(): never {
  throw new Error('a browser has no processes');
}

export class Worker {
  constructor() {
    absent();
  }
}
export class PassThrough {
  constructor() {
    absent();
  }
}
export const spawn = absent;
export const parentPort = null;
export const workerData = null;
