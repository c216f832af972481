/**
 * Calls of a UPnP service's actions and what comes back (UPnP Device Architecture 1.1, section 3.2).
 * Pure.
 */
import { childElements, childText, parseXml } from "./xml.ts";

/** A call, as an HTTP POST. */
export interface SoapCall {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What came back. */
export type SoapAnswer =
  | {
    readonly kind: "done";
    /** The text of an output argument; undefined when it is not there. */
    readonly value: (name: string) => string | undefined;
  }
  | {
    readonly kind: "fault";
    /** The error code; 0 when the fault has none. */
    readonly code: number;
  };

/** WANIPConnection:1, section 2.4.16, and WANIPConnection:2, section 2.5.16. */
const ERROR_NAMES: ReadonlyMap<number, string> = new Map([
  [401, "invalid action"],
  [402, "invalid arguments"],
  [501, "action failed"],
  [606, "action not authorized"],
  [715, "wildcard not permitted in source"],
  [716, "wildcard not permitted in external port"],
  [718, "conflict in mapping entry"],
  [724, "same port values required"],
  [725, "only permanent leases supported"],
  [726, "remote host only supports wildcard"],
  [727, "external port only supports wildcard"],
  [728, "no port maps available"],
  [729, "conflict with other mechanisms"],
  [732, "wildcard not permitted in internal port"],
]);

/**
 * Writes a call.
 *
 * @param args In the order the service's description lists them: some routers read them by place.
 * Values are numbers, addresses and names of this program, none of which needs escaping.
 */
export function encodeSoapCall(
  serviceType: string,
  action: string,
  args: readonly (readonly [name: string, value: string | number])[] = [],
): SoapCall {
  const written = args.map(([name, value]) => `<${name}>${value}</${name}>`).join("");
  return {
    headers: {
      "content-type": 'text/xml; charset="utf-8"',
      "soapaction": `"${serviceType}#${action}"`,
    },
    body: '<?xml version="1.0"?>\r\n' +
      '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ' +
      's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>' +
      `<u:${action} xmlns:u="${serviceType}">${written}</u:${action}></s:Body></s:Envelope>\r\n`,
  };
}

/** Reads the answer to a call of `action`. @returns Undefined when it is none. */
export function decodeSoapAnswer(text: string, action: string): SoapAnswer | undefined {
  const document = parseXml(text);
  const envelope = document && childElements(document, "Envelope")[0];
  const body = envelope && childElements(envelope, "Body")[0];
  if (body === undefined) return undefined;
  const fault = childElements(body, "Fault")[0];
  if (fault !== undefined) {
    const detail = childElements(fault, "detail")[0];
    const error = detail && childElements(detail, "UPnPError")[0];
    const code = Number(error === undefined ? 0 : childText(error, "errorCode"));
    return { kind: "fault", code: Number.isInteger(code) && code > 0 && code < 1000 ? code : 0 };
  }
  const name = `${action}Response`;
  if (!Object.hasOwn(body, name)) return undefined;
  const response = childElements(body, name)[0];
  return { kind: "done", value: (name) => response && childText(response, name)?.trim() };
}

/** `718 conflict in mapping entry`: an error code for people. */
export function describeUpnpError(code: number): string {
  return `${code} ${ERROR_NAMES.get(code) ?? "unknown error"}`;
}
