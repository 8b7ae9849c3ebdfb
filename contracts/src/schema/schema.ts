/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 and AsyncAPI 3 hold it too. */
export type Schema = { [keyword: string]: unknown };

/** Who reads with it: `input` is what a caller sends, closed; `output` is what it gets, open for additions. */
export type Direction = "input" | "output";
