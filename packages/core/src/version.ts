// The version of gictrace. All packages have the same version, which test/packages.test.ts checks.

export const VERSION = '0.2.0';
