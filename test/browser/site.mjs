// The documentation site in Debian's Chromium: widths, axe, search, diagrams, versions, and no
// request to another host.
//
//   node site.mjs SITE VERSION SCREENSHOTS

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, resolve } from "node:path";
import { clean, fits, Pages } from "./pages.mjs";

const [folder, version, shots] = process.argv.slice(2);
if (!folder || !version || !shots) {
  console.error("usage: node site.mjs SITE VERSION SCREENSHOTS");
  process.exit(2);
}
const site = resolve(folder);
const types = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png" };

const server = createServer(async (request, response) => {
  const path = decodeURIComponent(new URL(request.url, "http://site").pathname);
  const file = join(site, path.endsWith("/") ? path + "index.html" : path);
  try {
    const body = await readFile(file);
    response.writeHead(200, { "Content-Type": types[extname(file)] ?? "application/octet-stream" }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const home = `http://127.0.0.1:${server.address().port}/`;
const pages = await Pages.launch(resolve(shots), () => home);
const story = pages.story.bind(pages);

// open opens a page; a request to another host, or one that fails, fails the story.
async function open(path, options = {}) {
  const context = await pages.browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const wrong = [];
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && wrong.push(m.text()));
  page.on("pageerror", (e) => wrong.push(String(e)));
  page.on("request", (r) => r.url().startsWith(home) || /^(data|blob):/.test(r.url()) || wrong.push(`a request to ${r.url()}`));
  page.on("response", (r) => r.status() >= 400 && wrong.push(`${r.status()} ${r.url()}`));
  await page.goto(home + path);
  return { page, done: async () => { assert.deepEqual(wrong, []); await context.close(); } };
}

const shown = { start: "", guide: "serve/", reference: "reference/configuration/" };
try {
  for (const [name, path] of Object.entries(shown)) {
    for (const width of [390, 1400]) {
      await story(`${name} at ${width}`, async () => {
        const { page, done } = await open(`${version}/${path}`, { viewport: { width, height: 900 } });
        await fits(page);
        await pages.shot(page, `site-${name}-${width}`, false);
        await clean(page);
        await done();
      });
    }
  }

  await story("dark", async () => {
    const { page, done } = await open(`${version}/start/`, { colorScheme: "dark" });
    assert.equal(await page.locator("body").getAttribute("data-md-color-scheme"), "slate");
    await pages.shot(page, "site-dark", false);
    await clean(page);
    await done();
  });

  await story("diagrams are drawn without a network", async () => {
    const { page, done } = await open(`${version}/architecture/`);
    await page.locator("div.mermaid").first().waitFor(); // the theme puts the drawing into its shadow
    const box = await page.locator("div.mermaid").first().boundingBox();
    assert.ok(box.width > 300 && box.height > 100, `the diagram is ${box.width} by ${box.height}`);
    await page.locator("div.mermaid").first().scrollIntoViewIfNeeded();
    await pages.shot(page, "site-diagram", false);
    await done();
  });

  await story("search finds a key", async () => {
    const { page, done } = await open(`${version}/`);
    await page.locator(".md-search__input").fill("pseudonymisation_key");
    const found = page.locator(".md-search-result__item a").first();
    await found.waitFor();
    await found.click();
    await page.waitForURL(/configuration|columns|fleet/);
    await done();
  });

  await story("versions can be selected", async () => {
    const { page, done } = await open("");
    await page.waitForURL(home + version + "/");
    assert.equal((await page.locator(".md-version__current").textContent()).trim(), version);
    await done();
  });

  await story("every page loads without an error and fits a phone", async () => {
    const all = readdirSync(join(site, version), { recursive: true }).map(String).filter((f) => f.endsWith("index.html"));
    assert.ok(all.length > 60, `only ${all.length} pages`);
    const wide = [];
    const { page, done } = await open(`${version}/`, { viewport: { width: 390, height: 844 } });
    for (const file of all) {
      await page.goto(`${home}${version}/${file.slice(0, -"index.html".length)}`, { waitUntil: "domcontentloaded" });
      await fits(page).catch((err) => wide.push(`${file}: ${err.message}`));
    }
    await done();
    assert.deepEqual(wide, []);
  });
} finally {
  await pages.browser.close();
  server.close();
}
process.exit(pages.failures ? 1 : 0);
