// Which gictrace this is. All packages have one version (test/packages.test.ts holds them against each other).

export const VERSION = '0.2.0';
