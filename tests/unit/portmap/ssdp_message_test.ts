import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeSsdpAnswer, encodeSsdpSearch } from "../../../lib/portmap/ssdp_message.ts";

const FROM = { family: 4, host: "192.168.1.1", port: 1900 } as const;

function decode(
  text: string,
  from: Parameters<typeof decodeSsdpAnswer>[1] = FROM,
): string | undefined {
  return decodeSsdpAnswer(new TextEncoder().encode(text), from)?.href;
}

Deno.test("encodeSsdpSearch writes a search with the headers that devices insist on", () => {
  const text = new TextDecoder().decode(encodeSsdpSearch("urn:x"));
  assert.equal(
    text,
    "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n" +
      'MAN: "ssdp:discover"\r\nMX: 1\r\nST: urn:x\r\n\r\n',
  );
});

Deno.test("decodeSsdpAnswer finds the location, whatever the case and order of headers", () => {
  const url = "http://192.168.1.1:5000/root.xml";
  assert.equal(decode(`HTTP/1.1 200 OK\r\nST: x\r\nLOCATION: ${url}\r\n\r\n`), url);
  assert.equal(decode(`HTTP/1.0 200 OK\r\nLocation:${url}  \r\nST: x\r\n\r\n`), url);
  assert.equal(decode(`HTTP/1.1 200 OK\nlocation: ${url}\n`), url);
});

Deno.test("decodeSsdpAnswer refuses what is no answer", () => {
  const location = "LOCATION: http://192.168.1.1/\r\n";
  assert.equal(decode(`NOTIFY * HTTP/1.1\r\n${location}\r\n`), undefined);
  assert.equal(decode(`HTTP/1.1 404 Not Found\r\n${location}\r\n`), undefined);
  assert.equal(decode("HTTP/1.1 200 OK\r\n\r\n"), undefined);
  assert.equal(decode(`HTTP/1.1 200 OK\r\n${location}${"x".repeat(2048)}`), undefined);
});

Deno.test("decodeSsdpAnswer refuses a location that is not on its sender", () => {
  for (
    const url of [
      "http://192.168.1.2/",
      "http://router.example/",
      "https://192.168.1.1/",
      "ftp://192.168.1.1/",
      "http://a:b@192.168.1.1/",
      "http://192.168.1.1@203.0.113.1/",
      "/root.xml",
    ]
  ) {
    assert.equal(decode(`HTTP/1.1 200 OK\r\nLOCATION: ${url}\r\n\r\n`), undefined, url);
  }
});

Deno.test("decodeSsdpAnswer refuses senders outside of private networks", () => {
  for (const host of ["203.0.113.1", "127.0.0.1", "239.255.255.250"]) {
    const text = `HTTP/1.1 200 OK\r\nLOCATION: http://${host}/\r\n\r\n`;
    assert.equal(decode(text, { ...FROM, host }), undefined, host);
  }
});

Deno.test("decodeSsdpAnswer never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    decode(text);
    decode(`HTTP/1.1 200 OK\r\nLOCATION: ${text}\r\n\r\n`);
  }));
});
