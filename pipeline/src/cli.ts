#!/usr/bin/env bun
import { buildProgram } from "./cli/program.ts";
import { runProgram } from "./cli/run.ts";

process.exit(await runProgram(buildProgram(), process.argv.slice(2)));
