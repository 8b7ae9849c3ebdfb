import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import type { FileDescriptorProto, SourceCodeInfo_Location } from "@bufbuild/protobuf/wkt";

/** Anything that is declared in a file. */
export type Declared = Exclude<AnyDesc, DescFile>;

/** Where something stands in a proto; lines and columns from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The comment that stands before something in its proto, as one paragraph; empty where there is none. */
export function commentOf(desc: Declared): string {
  const leading = locationsOf(fileOf(desc)).get(pathOf(desc).join("."))?.leadingComments ?? "";
  return leading
    .split("\n")
    .map((line) => line.trim())
    .join(" ")
    .trim();
}

/** The first sentence of a comment, without its full stop. */
export function firstSentence(comment: string): string {
  return (/^.*?[.:](?=\s|$)/.exec(comment)?.[0] ?? comment).replace(/[.:]$/, "");
}

/** Where something is declared; the first line of its file where the image has no positions. */
export function positionOf(desc: Declared): Position {
  return positionAt(fileOf(desc), pathOf(desc));
}

/** The position of a path of descriptor numbers in a file (descriptor.proto, `SourceCodeInfo.Location.path`). */
export function positionAt(file: DescFile, path: readonly number[]): Position {
  const [line = 0, column = 0] = locationsOf(file).get(path.join("."))?.span ?? [];
  return { file: `proto/${file.proto.name}`, line: line + 1, column: column + 1 };
}

/** The path of a declaration in its file, as `SourceCodeInfo.Location` counts it. */
export function pathOf(desc: Declared): readonly number[] {
  switch (desc.kind) {
    case "message":
      return desc.parent === undefined
        ? [4, desc.file.proto.messageType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 3, desc.parent.proto.nestedType.indexOf(desc.proto)];
    case "enum":
      return desc.parent === undefined
        ? [5, desc.file.proto.enumType.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 4, desc.parent.proto.enumType.indexOf(desc.proto)];
    case "enum_value":
      return [...pathOf(desc.parent), 2, desc.parent.proto.value.indexOf(desc.proto)];
    case "field":
      return [...pathOf(desc.parent), 2, desc.parent.proto.field.indexOf(desc.proto)];
    case "oneof":
      return [...pathOf(desc.parent), 8, desc.parent.proto.oneofDecl.indexOf(desc.proto)];
    case "service":
      return [6, desc.file.proto.service.indexOf(desc.proto)];
    case "rpc":
      return [...pathOf(desc.parent), 2, desc.parent.proto.method.indexOf(desc.proto)];
    case "extension":
      return desc.parent === undefined
        ? [7, desc.file.proto.extension.indexOf(desc.proto)]
        : [...pathOf(desc.parent), 6, desc.parent.proto.extension.indexOf(desc.proto)];
  }
}

/** The file that something is declared in. */
export function fileOf(desc: Declared): DescFile {
  return "file" in desc ? desc.file : desc.parent.file;
}

/** A file has thousands of locations, and each comment is one look-up. */
const INDEXES = new WeakMap<FileDescriptorProto, ReadonlyMap<string, SourceCodeInfo_Location>>();

function locationsOf({ proto }: DescFile): ReadonlyMap<string, SourceCodeInfo_Location> {
  const known = INDEXES.get(proto);
  if (known !== undefined) return known;
  const index = new Map<string, SourceCodeInfo_Location>();
  for (const location of proto.sourceCodeInfo?.location ?? []) {
    const path = location.path.join(".");
    // Where one path has several, the first is the declaration.
    if (!index.has(path)) index.set(path, location);
  }
  INDEXES.set(proto, index);
  return index;
}
