#!/usr/bin/env node
// Plain JavaScript, so that a Node too old for the package says so in one line instead of a syntax error.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 20 || (major === 20 && minor >= 19)) {
  import("../dist/cli.js")
    .then((cli) => cli.main(process.argv))
    .then(
      (code) => {
        process.exitCode = code;
      },
      (error) => {
        console.error(process.argv.includes("--debug") ? error : `rtmfp-server: ${error.message}`);
        process.exitCode = 1;
      },
    );
} else {
  console.error(`rtmfp-server needs Node 20.19 or newer; this is ${process.versions.node}`);
  process.exitCode = 1;
}
