import type { DescFile } from "@bufbuild/protobuf";

/** These files and all that they import, each once, those that are imported first: as reflection gives them. */
export function withImports(wanted: readonly DescFile[]): readonly DescFile[] {
  const files = new Set<DescFile>();
  const add = (file: DescFile): void => {
    if (files.has(file)) return;
    file.dependencies.forEach(add);
    files.add(file);
  };
  wanted.forEach(add);
  return [...files];
}
