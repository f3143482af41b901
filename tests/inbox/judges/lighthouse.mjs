// Lighthouse's score for accessibility, and the audits that failed, of every page on standard input: address and cookie.
import { readFileSync } from "node:fs";
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";

const { chromium, pages } = JSON.parse(readFileSync(0, "utf-8"));
const chrome = await launch({
  chromePath: chromium,
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--lang=zh-CN"],
});
const found = {};
try {
  for (const [name, [url, cookie]] of Object.entries(pages)) {
    const { lhr } = await lighthouse(url, {
      port: chrome.port,
      onlyCategories: ["accessibility"],
      logLevel: "silent",
      extraHeaders: cookie ? { Cookie: cookie } : {},
    });
    if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
    const failed = Object.values(lhr.audits).filter((audit) => audit.score !== null && audit.score < 1);
    found[name] = { score: lhr.categories.accessibility.score, failed: failed.map((audit) => audit.id) };
  }
} finally {
  await chrome.kill();
}
process.stdout.write(JSON.stringify(found));
