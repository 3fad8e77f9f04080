// Starts the blob service of Azurite on a free port and prints its URL.
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";

const package_ = createRequire(import.meta.url).resolve("azurite/package.json");
const free = createServer().listen(0, "127.0.0.1", () => {
  const { port } = free.address();
  free.close(() => {
    const program = join(dirname(package_), "dist/src/blob/main.js");
    const azurite = spawn(process.execPath, [program, "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--blobPort", String(port)]);
    azurite.stderr.pipe(process.stderr);
    azurite.stdout.on("data", (text) => {
      process.stderr.write(text);
      if (String(text).includes("successfully listens")) console.log(`http://127.0.0.1:${port}`);
    });
    azurite.on("exit", (code) => process.exit(code ?? 1));
    process.on("SIGTERM", () => azurite.kill());
  });
});
