/**
 * The media ranges of an Accept header that the client takes, in lower case, without parameters (RFC 9110,
 * 12.5.1).
 */
export function mediaRanges(accept: string | undefined): readonly string[] {
  if (accept === undefined) return ["*/*"];
  return accept.split(",").flatMap((element) => {
    const [range = "", ...parameters] = element.split(";").map((part) => part.trim().toLowerCase());
    return range === "" || parameters.some(isZeroQuality) ? [] : [range];
  });
}

/** Whether the client would rather read a page than a document: it names HTML, as browsers do. */
export function wantsHtml(accept: string | undefined): boolean {
  return accept !== undefined && mediaRanges(accept).includes("text/html");
}

/** Whether the client leaves the form of the answer open: no Accept, or one that is the wildcard alone. */
export function takesAnything(accept: string | undefined): boolean {
  return accept === undefined || mediaRanges(accept).every((range) => range === "*/*");
}

function isZeroQuality(parameter: string): boolean {
  return /^q=0(\.0{0,3})?$/.test(parameter);
}
