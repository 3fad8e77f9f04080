// The status page in Debian's Chromium: alive during a run, an error with its
// fix, the width of a phone, the keyboard alone, no scripts, and axe on every
// page, light and dark.
//
//   node test.mjs BIN SCREENSHOTS

import assert from "node:assert/strict";
import { resolve } from "node:path";
import { clean, fits, focused, Pages, phone, press, wrapsAtWords } from "./pages.mjs";
import { until, World } from "./world.mjs";

const [bin, shots] = process.argv.slice(2).map((p) => resolve(p));
if (!bin || !shots) {
  console.error("usage: node test.mjs BIN SCREENSHOTS");
  process.exit(2);
}

const world = new World(bin);
const pages = await Pages.launch(shots, () => world.url);
const story = pages.story.bind(pages), open = pages.open.bind(pages), shot = pages.shot.bind(pages);

const table = "DeviceTvmSoftwareVulnerabilities", other = "DeviceTvmHardwareFirmware";
const runs = (outcome, name = table) => world.metric(`tvmexport_runs_total{outcome="${outcome}",table="${name}"}`);
const summary = (page) => page.locator("#summary").textContent();

try {
  await world.open();

  await story("a history is made", async () => {
    for (let n = 1; n <= 6; n++) {
      await until(`run ${n}`, async () => (await runs("committed")) >= n);
      if (n === 4) await world.control("POST", "/faults", [{ endpoint: "graph", match: other, status: 403, count: 2 }]);
      await world.control("POST", "/advance", { days: 1 });
    }
    world.configure("@daily");
    const { page, done } = await open("/");
    await until("the page rests", async () => /No problems|failed/.test(await summary(page)));
    await page.locator("#h-missed").waitFor(); // a run takes longer than the second between two
    await done();
  });

  await story("live during a run", async () => {
    const { page, done } = await open("/");
    await page.evaluate(() => (window.neverReloaded = true));
    await world.control("DELETE", "/faults");
    await world.control("POST", "/faults", [{ endpoint: "graph", delay: "1500ms" }]);
    world.configure("@every 1s");
    await page.waitForFunction(() => document.querySelector("#running progress") && /Exporting/.test(document.title), null, { timeout: 30_000 });
    const seen = new Set();
    await until("the page shows a run in its steps", async () => {
      for (const step of await page.locator(".step").allTextContents()) seen.add(step);
      return seen.has("fetching") && seen.has("committed");
    });
    assert.match(await page.locator("#running").textContent(), /rows/);
    await shot(page, "running");
    await clean(page);
    const dark = await open("/", { colorScheme: "dark" });
    await dark.page.waitForSelector("#running progress", { timeout: 30_000 });
    await shot(dark.page, "running-dark");
    await dark.done();
    const before = await page.locator("#rows").textContent();
    await until("the table changes by itself", async () => (await page.locator("#rows").textContent()) !== before);
    world.configure("@daily");
    await world.control("DELETE", "/faults");
    await page.waitForFunction(() => /^No problems/.test(document.title), null, { timeout: 60_000 });
    assert.equal(await page.evaluate(() => window.neverReloaded), true);
    await done();
  });

  await story("all is well, light and dark", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, done } = await open("/", { colorScheme });
      await shot(page, colorScheme === "dark" ? "overview-dark" : "overview");
      await clean(page);
      await done();
    }
  });

  await story("the keyboard alone", async () => {
    const { page, done } = await open("/");
    await page.keyboard.press("Tab");
    assert.equal((await focused(page)).text, "Skip to the content");
    await page.keyboard.press("Enter");
    assert.equal((await focused(page)).id, "main");
    await press(page, (at) => at.id === "t-" + table);
    // The live update replaces the row under the focus and gives the focus back.
    await until("the focus stays through an update", async () => {
      assert.equal((await focused(page)).id, "t-" + table);
      return (await page.locator("#rows time").first().textContent()) !== (await page.evaluate(() => (window.firstAge ??= document.querySelector("#rows time").textContent)));
    }, 40);
    await shot(page, "keyboard", false);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/tables/" + table);
    await press(page, (at) => at.href?.includes("/runs/"));
    await page.keyboard.press("Enter");
    await page.waitForURL("**/runs/**");
    await press(page, (at) => at.text === "Overview");
    await page.keyboard.press("Enter");
    await page.waitForURL(world.url);
    await done();
  });

  await story("a table and the record of a run", async () => {
    for (const colorScheme of ["light", "dark"]) {
      const { page, done } = await open("/tables/" + table, { colorScheme });
      await shot(page, colorScheme === "dark" ? "table-dark" : "table");
      await clean(page);
      await page.locator("a.id").last().click(); // the first run: a full one
      await page.waitForURL("**/runs/**");
      assert.match(await page.locator("main").textContent(), /Ledger rows[\s\S]*committed[\s\S]*Partitions \(/);
      await shot(page, colorScheme === "dark" ? "record-dark" : "record");
      await clean(page);
      await done();
    }
  });

  await story("an error, with its fix", async () => {
    await world.control("POST", "/faults", [{ endpoint: "graph", match: other, status: 403 }]);
    world.configure("@daily", { [other]: "@every 1s" });
    const { page, done } = await open("/");
    await page.waitForFunction((name) => document.querySelector("#problems")?.textContent.includes(name), other, { timeout: 60_000 });
    world.configure("@daily");
    await until("the export is over", async () => /failed in the last run/.test(await summary(page)));
    assert.match(await page.locator("#problems").textContent(), /To fix it: grant the application permission ThreatHunting.Read.All/);
    await shot(page, "error");
    await clean(page);
    const dark = await open("/", { colorScheme: "dark" });
    await shot(dark.page, "error-dark");
    await clean(dark.page);
    await dark.done();
    await done();
  });

  // What is wider than its box shows that it scrolls: by a bar of its own
  // height (of which Playwright's pages show none), by a shadow, and on narrow screens in words. The keyboard scrolls it.
  const showsScrolling = async (page, words) => {
    const box = page.locator(".scroll").first();
    const seen = await box.evaluate((e) => ({
      wider: e.scrollWidth > e.clientWidth + 1, bar: parseFloat(getComputedStyle(e, "::-webkit-scrollbar").height), shadows: getComputedStyle(e).backgroundImage.split("linear-gradient").length - 1,
    }));
    assert.ok(seen.shadows >= 4, `${seen.shadows} shadows`);
    assert.equal(await page.locator(".sideways").first().isVisible(), words);
    if (!seen.wider) return assert.ok(!words, "the table is not wider than its box, and the page says so");
    assert.ok(seen.bar >= 6, `the bar is ${seen.bar} high`);
    await box.focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.querySelector(".scroll").scrollLeft > 0);
  };

  // A chart is as wide as its card.
  const fillsCard = async (page) => {
    const charts = await page.evaluate(() => [...document.querySelectorAll(".large .chart, .tables .chart")].map((c) => {
      const card = c.parentElement, s = getComputedStyle(card);
      return [Math.round(c.getBoundingClientRect().width), Math.round(card.clientWidth - parseFloat(s.paddingLeft) - parseFloat(s.paddingRight))];
    }));
    assert.ok(charts.length > 0, "there is no chart");
    for (const [chart, card] of charts) assert.ok(Math.abs(chart - card) <= 1 && chart >= 100, `a chart is ${chart} wide in a card of ${card}`);
  };

  await story("narrow and wide, light and dark", async () => {
    for (const width of [390, 1400]) {
      for (const colorScheme of ["light", "dark"]) {
        for (const [path, name] of [["/", "overview"], ["/tables/DeviceTvmSecureConfigurationAssessment", "table"]]) {
          const { page, done } = await open(path, { viewport: { width, height: 900 }, colorScheme });
          await fits(page);
          await wrapsAtWords(page);
          await fillsCard(page);
          await shot(page, `${name}-${width}-${colorScheme}`);
          if (name === "table") await showsScrolling(page, width === 390);
          await clean(page);
          if (name === "table") await press(page, (at) => at.href?.includes("/runs/"));
          await done();
        }
      }
    }
  });

  await story("the width of a phone", async () => {
    for (const [path, name] of [["/", "phone"], ["/tables/" + other, "phone-table"]]) {
      const { page, done } = await open(path, { viewport: phone, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
      await fits(page);
      await shot(page, name);
      await clean(page);
      await done();
    }
    const { page, done } = await open("/tables/" + table, { viewport: { width: 320, height: 640 } });
    await fits(page);
    await page.locator("a.id").first().click();
    await page.waitForURL("**/runs/**");
    await fits(page);
    await shot(page, "phone-record");
    await clean(page);
    await done();
  });

  await story("without scripts", async () => {
    const { page, done } = await open("/", { javaScriptEnabled: false });
    assert.equal(await page.locator("#rows tr").count(), 9);
    assert.equal(await page.locator("noscript meta[http-equiv=refresh]").count(), 1);
    await page.getByRole("link", { name: table }).click();
    await page.waitForURL("**/tables/" + table);
    await done();
  });

  await story("the program goes away", async () => {
    const { page } = await open("/");
    await page.waitForLoadState("load");
    world.serve.kill("SIGTERM");
    await page.waitForFunction(() => document.body.classList.contains("stale"), null, { timeout: 30_000 });
    await shot(page, "away", false);
    await page.context().close();
  });
} catch (err) {
  pages.failures++;
  console.log("FAIL " + err.stack);
}
await pages.browser.close();
await world.close();
if (pages.failures) {
  console.log(world.log.split("\n").slice(-40).join("\n"));
  process.exit(1);
}
console.log(`screenshots in ${shots}`);
