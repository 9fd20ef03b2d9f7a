/**
 * The sidecar as a child of the stack. The other end of its standard input is the stack's alone: when that process
 * ends, however it ended, the input ends too, and the sidecar drains as at a SIGTERM.
 */
import { runProcess } from "../../gpu-sidecar/main.ts";

process.stdin.on("end", () => process.kill(process.pid, "SIGTERM")).resume();
await runProcess();
