import type { Contract } from "@orrery/contracts/image/contract-image";
import { composeFiles } from "./compose/folder.ts";
import { kubernetesFiles } from "./kubernetes/folders.ts";
import type { Files } from "./manifest.ts";

/** The folders below mesh/deploy that hold nothing but generated files. */
export const GENERATED_FOLDERS = [
  "kubernetes/foundation",
  "kubernetes/migrations",
  "kubernetes/platform",
  "kubernetes/replicated",
  "kubernetes/servers",
  "compose/generated",
] as const;

/** Every generated file of mesh/deploy, by its path from there. */
export const outputs = (contract: Contract): Files =>
  new Map([...kubernetesFiles(contract), ...composeFiles()]);
