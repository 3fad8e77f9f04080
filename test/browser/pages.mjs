// What the tests of all pages need: Chromium, stories, axe, widths, the keyboard.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

export const wide = { width: 1280, height: 900 };
export const phone = { width: 390, height: 844 };

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// Pages are those below an address, which is asked for when a page is opened.
export class Pages {
  failures = 0;

  constructor(browser, shots, url) {
    Object.assign(this, { browser, shots, url });
  }

  static async launch(shots, url) {
    mkdirSync(shots, { recursive: true });
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
    });
    return new Pages(browser, shots, url);
  }

  async story(name, tell) {
    const began = Date.now();
    try {
      await tell();
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)}s)`);
    } catch (err) {
      this.failures++;
      console.log(`FAIL ${name}: ${err.stack}`);
    }
  }

  // open opens a page in a browser of its own; what the page complains about
  // fails the story.
  async open(path, options = {}) {
    const context = await this.browser.newContext({ viewport: wide, ...options });
    const page = await context.newPage();
    const complaints = [];
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && complaints.push(m.text()));
    page.on("pageerror", (e) => complaints.push(String(e)));
    await page.goto(new URL(path, this.url()).href);
    return { page, done: async () => { assert.deepEqual(complaints, []); await context.close(); } };
  }

  shot(page, name, fullPage = true) {
    return page.screenshot({ path: join(this.shots, name + ".png"), fullPage });
  }
}

export async function clean(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html).join(" | ")}`), []);
}

export const fits = async (page) => {
  const { scroll, width } = await page.evaluate(() => ({ scroll: document.documentElement.scrollWidth, width: innerWidth }));
  assert.ok(scroll <= width, `the page is ${scroll} wide on a screen of ${width}`);
};

export const focused = (page) => page.evaluate(() => {
  const e = document.activeElement, s = getComputedStyle(e);
  return { text: e.textContent.trim(), href: e.getAttribute("href"), id: e.id, outline: s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 };
});

// press presses Tab until the focus is on what is looked for; everything on
// the way must show that it has the focus.
export async function press(page, found) {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    assert.ok(at.outline, `the focus does not show on ${JSON.stringify(at)}`);
    if (found(at)) return at;
  }
  throw new Error("never reached by the Tab key");
}

// wrapsAtWords: of text that is wrapped, no line may begin within a word: where a line
// of the text ends, the name has a place for it.
export const wrapsAtWords = async (page) => {
  const broken = await page.evaluate(() => {
    const out = [];
    for (const e of document.querySelectorAll("h1, h3, .tables th a, .facts b.text, .facts span, .crumbs span, .record dd")) {
      const walk = document.createTreeWalker(e, NodeFilter.SHOW_TEXT);
      for (let node; (node = walk.nextNode());) {
        const text = node.data, range = document.createRange();
        let last;
        for (let i = 0; i < text.length; i++) {
          range.setStart(node, i); range.setEnd(node, i + 1);
          const box = range.getBoundingClientRect();
          if (!box.width) continue;
          if (last !== undefined && box.top > last + 4 && /[A-Za-z0-9]/.test(text[i]) && /[A-Za-z0-9]/.test(text[i - 1])) out.push(`${text.slice(0, i)}|${text.slice(i)}`);
          last = box.top;
        }
      }
    }
    return out;
  });
  assert.deepEqual(broken, [], "names are wrapped within words");
};
