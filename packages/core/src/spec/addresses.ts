// Which physical addresses there are. Pure data.

/** Physical addresses are below this. From there on nothing can be read or written. */
export const ADDRESSES = 2 ** 52;
