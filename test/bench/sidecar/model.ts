import { mkdir, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelCatalog, openCatalog } from "../../../gpu-sidecar/models/catalog.ts";
import { makeModel } from "../../../gpu-sidecar/models/clip/make.ts";
import { addModel } from "../../../gpu-sidecar/models/files/install.ts";

export interface BenchModel {
  readonly key: string;
  /** As it is laid out on the hub. */
  readonly folder: string;
  /** Where it is installed. */
  readonly modelsFolder: string;
  readonly catalog: ModelCatalog;
}

/** Bump when what the generator writes changes. */
const edition = 1;

/** What outlives a run of the bench: graphs, and the packages that it compares with. */
export const cacheFolder = join(tmpdir(), "parlance-bench");

/** A ViT-B/32 dual encoder of full size, or a tiny one; random weights, the same each time. Made once a machine. */
export async function openBenchModel(isTiny: boolean): Promise<BenchModel> {
  const key = isTiny ? "bench-tiny" : "bench-vit-b32";
  const root = join(cacheFolder, `models-${edition}`);
  const folder = join(root, "hub", key);
  const modelsFolder = join(root, "installed");
  await mkdir(join(root, "hub"), { recursive: true });
  if (!(await openCatalog(modelsFolder)).find(key)) {
    const staging = `${folder}.${process.pid}`;
    await makeModel(staging, { isTiny });
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
    await addModel(folder, { modelsFolder, name: key, variant: "fp32" });
  }
  return { key, folder, modelsFolder, catalog: await openCatalog(modelsFolder) };
}
