// The status pages of 1,000 tenants in Debian's Chromium: their speed, filters without
// scripts, live changes, the keyboard, and axe on every page, narrow and wide, light and dark.
//
//   node fleet.mjs MANYTENANTS SCREENSHOTS

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { clean, fits, focused, Pages, phone, press, wrapsAtWords } from "./pages.mjs";
import { firstLine, until } from "./world.mjs";

const [program, shots] = process.argv.slice(2).map((p) => resolve(p));
if (!program || !shots) {
  console.error("usage: node fleet.mjs MANYTENANTS SCREENSHOTS");
  process.exit(2);
}

const child = spawn(program, [], { stdio: ["pipe", "pipe", "inherit"] });
const url = (await firstLine(child)).trim();
const tell = (line) => child.stdin.write(line + "\n");
const pages = await Pages.launch(shots, () => url);
const { story, open, shot } = { story: pages.story.bind(pages), open: pages.open.bind(pages), shot: pages.shot.bind(pages) };

const rows = (page) => page.locator("#rows tr");
const states = (page) => page.locator("#rows .badge").allTextContents();
const order = ["unreadable", "failing", "late", "missed a schedule", "waiting for quota", "never exported", "waiting for a worker", "running", "starting", "fresh", "no active table"];

await story("1,000 tenants are served in under 200 ms", async () => {
  for (const path of ["/", "/live", "/?state=fresh&page=9", "/?name=toys", "/tenants/fabrikam-0001/"]) {
    const times = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      const answer = await fetch(new URL(path, url));
      await answer.text();
      assert.equal(answer.status, 200);
      times.push(performance.now() - began);
    }
    times.sort((a, b) => a - b);
    console.log(`     ${path}: median ${times[10].toFixed(0)} ms, slowest of 20 ${times[19].toFixed(0)} ms`);
    assert.ok(times[10] < 200, `${path} takes ${times[10]} ms`);
  }
});

await story("worst first, and counts that add up", async () => {
  const { page, done } = await open("/");
  assert.match(await page.title(), /^25 of 1,000 tenants need attention · tvmexport$/);
  assert.equal(await rows(page).count(), 100);
  const places = (await states(page)).map((s) => order.indexOf(s));
  assert.ok(places.every((p, i) => p >= 0 && (i === 0 || places[i - 1] <= p)), "the tenants are not sorted");
  const counts = (await page.locator("#states b").allTextContents()).map((n) => Number(n.replace(",", "")));
  assert.equal(counts[0], 1000);
  assert.equal(counts.slice(1).reduce((a, b) => a + b), 1000);
  await done();
});

await story("narrow and wide, light and dark", async () => {
  const see = async (path, name, width, colorScheme) => {
    const { page } = await open(path, { viewport: { width, height: 900 }, colorScheme });
    await fits(page);
    await wrapsAtWords(page);
    await shot(page, `${name}-${width}-${colorScheme}`);
    await clean(page);
    await page.context().close();
  };
  for (const width of [390, 1400]) {
    for (const colorScheme of ["light", "dark"]) {
      await see("/", "fleet", width, colorScheme);
      await see("/tenants/adventure-works-0223/", "fleet-tenant", width, colorScheme);
    }
  }
  for (const [path, name] of [["/?state=failing&name=adventure", "fleet-filter"], ["/tenants/northwind-traders-0007/", "fleet-unreadable"], ["/tenants/nobody/", "fleet-absent"]]) {
    await see(path, name, 390, "light");
    await see(path, name, 1400, "dark");
  }
});

await story("the width of a phone", async () => {
  for (const [viewport, name] of [[phone, "fleet-phone"], [{ width: 320, height: 640 }, "fleet-phone-small"]]) {
    const { page, done } = await open("/", { viewport, deviceScaleFactor: 2, isMobile: true, hasTouch: true });
    await fits(page);
    await shot(page, name, false);
    const small = await page.evaluate(() => [...document.querySelectorAll("#states a, .find input, .find button, .pager a")].filter((e) => e.offsetParent && e.getBoundingClientRect().height < 24).map((e) => e.outerHTML));
    assert.deepEqual(small, [], "what is touched is less than 24 px high");
    await done();
  }
});

await story("filters and pages without scripts", async () => {
  const { page, done } = await open("/", { javaScriptEnabled: false });
  await page.getByRole("link", { name: "5 late" }).click();
  await page.waitForURL("**/?state=late");
  assert.deepEqual(new Set(await states(page)), new Set(["late"]));
  await page.getByLabel("Name of a tenant").fill("FABRIKAM");
  await page.getByRole("button", { name: "Find" }).click();
  await page.waitForURL("**/?name=FABRIKAM&state=late");
  assert.equal(await rows(page).count(), 5);
  await page.getByRole("link", { name: "Show all tenants" }).click();
  await page.waitForURL(url);
  await page.getByRole("link", { name: "Next page" }).click();
  await page.waitForURL("**/?page=2");
  assert.match(await page.locator("#pager").textContent(), /101 to 200 of 1,000 tenants/);
  await page.locator("#rows th a").first().click();
  await page.waitForURL("**/tenants/*/");
  await page.getByRole("link", { name: "DeviceTvmHardwareFirmware" }).click();
  await page.locator("a.id").first().click();
  await page.waitForURL("**/tenants/*/tables/*/runs/*");
  assert.match(await page.locator("main").textContent(), /Ledger rows[\s\S]*Partitions \(/);
  await page.getByRole("link", { name: "All tenants" }).click();
  await page.waitForURL(url);
  await done();
});

await story("the keyboard alone", async () => {
  const { page, done } = await open("/");
  await press(page, (at) => at.id === "s-failing");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?state=failing");
  await press(page, (at) => at.id === "name");
  await page.keyboard.type("adventure");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/?name=adventure&state=failing");
  const at = await press(page, (at) => at.id.startsWith("t-"));
  await shot(page, "fleet-keyboard", false);
  // A live change gives the focus back, and keeps what was typed.
  await page.evaluate(() => (document.getElementById("name").value = "typed"));
  const before = await rows(page).count();
  tell("fail adventure-works-0103");
  await until("the new failure is on the page", async () => (await rows(page).count()) === before + 1, 20);
  assert.equal((await focused(page)).id, at.id);
  assert.equal(await page.getByLabel("Name of a tenant").inputValue(), "typed");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/tenants/*/");
  await press(page, (at) => at.text === "All tenants");
  await page.keyboard.press("Enter");
  await page.waitForURL(url);
  tell("commit adventure-works-0103");
  await done();
});

await story("live changes are few, and small where nothing has changed", async () => {
  const { page, done } = await open("/?name=contoso-0000");
  const asked = [];
  page.on("response", async (r) => new URL(r.url()).pathname === "/live" && asked.push(r.status()));
  await page.waitForTimeout(13_000); // exports change other tenants all the time
  assert.ok(asked.length >= 2 && asked.length <= 6, `in 13 s the page asked ${asked.length} times`);
  assert.ok(asked.slice(1).every((status) => status === 304), `the answers are ${asked}`);
  tell("remove contoso-0000");
  await until("the tenant leaves the page", async () => (await rows(page).first().textContent()).includes("No tenant"), 20);
  await done();
});

await story("a tenant's page lives", async () => {
  const { page, done } = await open("/tenants/adventure-works-0003/");
  assert.match(await page.title(), /^adventure-works-0003: No problems · tvmexport$/);
  tell("fail adventure-works-0003");
  await page.waitForFunction(() => document.title.startsWith("adventure-works-0003: 1 table failed"), null, { timeout: 20_000 });
  assert.match(await page.locator("#problems").textContent(), /no room/);
  tell("commit adventure-works-0003");
  await page.waitForFunction(() => document.title.startsWith("adventure-works-0003: No problems"), null, { timeout: 20_000 });
  await done();
});

await pages.browser.close();
child.stdin.end();
if (pages.failures) process.exit(1);
console.log(`screenshots in ${shots}`);
