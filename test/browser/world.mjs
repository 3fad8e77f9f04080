// An emulator and a serve, as processes, for the tests of the status page.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

// until asks until the answer is true; what it waits for takes its time.
export async function until(what, ask, seconds = 90) {
  for (const end = Date.now() + seconds * 1000; ; await wait(100)) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`never happened: ${what}`);
  }
}

export class World {
  constructor(bin) {
    this.bin = bin;
    this.dir = mkdtempSync(join(tmpdir(), "tvmexport-browser-"));
    this.config = join(this.dir, "tvmexport.yaml");
    this.log = "";
    this.running = [];
  }

  start(args, env = {}) {
    const child = spawn(this.bin, args, { cwd: this.dir, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    child.stderr.on("data", (text) => (this.log += text));
    this.running.push(child);
    return child;
  }

  async open() {
    const emulator = this.start(["emulator", "--devices", "25", "--quota", "off", "--batching", "50ms", "--dir", join(this.dir, "emulator")]);
    this.at = JSON.parse(await firstLine(emulator));
    this.ca = readFileSync(this.at.ca);
    this.env = {
      AZURE_TENANT_ID: this.at.tenantId, AZURE_CLIENT_ID: this.at.clientId,
      AZURE_CLIENT_SECRET: this.at.clientSecret, AZURE_AUTHORITY_HOST: this.at.authority,
    };
    this.configure("@every 1s");
    await ended(this.start(["init"], this.env));
    this.serve = this.start(["serve", "--listen", "127.0.0.1:0"], this.env);
    this.url = (await firstLine(this.serve)).replace("status page: ", "").trim();
  }

  configure(schedule, own = {}) {
    writeFileSync(this.config, JSON.stringify({
      defender: { endpoint: this.at.graph, share: 1, calls_per_minute: 600, calls_per_hour: 9000 },
      kusto: { cluster: this.at.kusto, ingest: this.at.ingest, database: this.at.database },
      ca_file: this.at.ca, schedule, serve: { schedules: own },
    }));
    this.serve?.kill("SIGHUP");
  }

  // metric is the value of a series, named without the labels that every metric carries.
  async metric(line) {
    const text = await (await fetch(this.url + "metrics")).text();
    const own = (l) => l.replace(/\b(database|tenant)="[^"]*",?/g, "").replace(/,\}/, "}").replace("{}", "");
    return Number(text.split("\n").map(own).find((l) => l.startsWith(line + " "))?.split(" ").at(-1) ?? NaN);
  }

  control(method, path, body) {
    return new Promise((done, fail) => {
      const r = request(this.at.control + path, { method, ca: this.ca, headers: { "Content-Type": "application/json" } }, (answer) => {
        let text = "";
        answer.on("data", (d) => (text += d));
        answer.on("end", () => (answer.statusCode < 300 ? done(text) : fail(new Error(`${path}: ${answer.statusCode} ${text}`))));
      });
      r.on("error", fail);
      r.end(body && JSON.stringify(body));
    });
  }

  async close() {
    for (const child of this.running.reverse()) {
      if (child.exitCode !== null) continue;
      child.kill("SIGTERM");
      await ended(child, true);
    }
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export function firstLine(child) {
  return new Promise((done, fail) => {
    let text = "";
    child.stdout.on("data", (d) => {
      text += d;
      if (text.includes("\n")) done(text.split("\n")[0]);
    });
    child.on("exit", (code) => fail(new Error(`${child.spawnargs.join(" ")} ends with ${code}`)));
  });
}

function ended(child, anyhow) {
  return new Promise((done, fail) => {
    child.on("exit", (code) => (code === 0 || anyhow ? done() : fail(new Error(`${child.spawnargs.join(" ")} ends with ${code}`))));
  });
}
