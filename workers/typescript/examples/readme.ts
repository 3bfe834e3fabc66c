import { Worker } from "@wove-dev/worker";

const worker = new Worker();

worker.task("word_count", { text: "string", top: "number?" }, ({ text, top = 3 }, context) => {
  const counts = new Map<string, number>();
  const words = text.toLowerCase().match(/\p{L}+/gu) ?? [];
  words.forEach((word, index) => {
    counts.set(word, (counts.get(word) ?? 0) + 1);
    if (index % 10_000 === 0) {
      context.progress({ current: index, total: words.length, unit: "words" });
    }
  });
  return [...counts].sort((a, b) => b[1] - a[1]).slice(0, top);
});

worker.task("fetch_status", { url: "string" }, async ({ url }, { signal }) => {
  const response = await fetch(url, { signal }); // a cancel ends it
  return response.status;
});

await worker.main();
