/**
 * XML from routers, as far as UPnP needs it: elements and text. Attributes, comments and namespaces
 * are dropped. Parsed by fast-xml-parser, which is lenient (routers write `&` where they should not)
 * and refuses nesting without end, entities that grow and names that would reach a prototype.
 */
import { XMLParser } from "npm:fast-xml-parser@5.12.1";

/** Longest text that is looked at, characters: descriptions of real routers have up to 30,000. */
export const MAX_XML_LENGTH = 65_536;

/** An element: its children by their names without prefix, in order. */
export type XmlElement = { readonly [name: string]: unknown };

const parser = new XMLParser({
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  removeNSPrefix: true,
  // `1.10` is a version and `007` a text: what is a number is for the reader to say.
  parseTagValue: false,
});

/** Reads a document. @returns The element around the root, or undefined when it cannot be read. */
export function parseXml(text: string): XmlElement | undefined {
  if (text.length > MAX_XML_LENGTH) return undefined;
  let document: unknown;
  try {
    document = parser.parse(text);
  } catch (error) {
    // The parser throws plain errors for every kind of bad document.
    if (error instanceof Error) return undefined;
    throw error;
  }
  return isElement(document) ? document : undefined;
}

/** The children called `name` that are elements with children of their own. */
export function childElements(parent: XmlElement, name: string): XmlElement[] {
  return valuesOf(parent, name).filter(isElement);
}

/** The text of the first child called `name`; undefined when there is none. */
export function childText(parent: XmlElement, name: string): string | undefined {
  return valuesOf(parent, name).find((value) => typeof value === "string");
}

function valuesOf(parent: XmlElement, name: string): readonly unknown[] {
  if (!Object.hasOwn(parent, name)) return [];
  const value = parent[name];
  return Array.isArray(value) ? value : [value];
}

function isElement(value: unknown): value is XmlElement {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
