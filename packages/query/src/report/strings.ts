// Strings and other values that columns refer to by number. Each is stored once, numbered in the order in which it comes.

export class Numbered<Key extends string | number, Thing> {
  readonly things: Thing[] = [];
  private readonly numbers = new Map<Key, number>();

  of(key: Key, make: () => Thing): number {
    let n = this.numbers.get(key);
    if (n === undefined) {
      n = this.things.length;
      this.numbers.set(key, n);
      this.things.push(make());
    }
    return n;
  }
}

export class Strings extends Numbered<string, string> {
  put(text: string): number {
    return this.of(text, () => text);
  }
}
