import { runHttpSuite } from "./suite.ts";
import { startStackTarget } from "./targets.ts";

runHttpSuite("PGlite and Bun", () => startStackTarget());
