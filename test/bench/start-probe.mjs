/** A host that starts and does nothing else. Prints what that took; the address of the build is its argument. */
const [, , door = ''] = process.argv;

const listed = /** @type {{ moduleLoadList: string[] }} */ (/** @type {unknown} */ (process))
  .moduleLoadList;
const before = new Set(listed);
const start = performance.now();
const { createTroupe } = await import(door);
await createTroupe();
const report = {
  import_ms: performance.now() - start,
  rss_mb: process.memoryUsage.rss() / 2 ** 20,
  builtin: listed
    .filter((name) => !before.has(name))
    .map((name) => name.replace('NativeModule ', '')),
};
process.stdout.write(JSON.stringify(report), () => process.exit(0));
