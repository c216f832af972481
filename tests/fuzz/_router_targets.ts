/** Parsers of what routers say: PCP, NAT-PMP, and the texts of UPnP. */
import assert from "node:assert/strict";
import { parseIgdDescription } from "../../lib/portmap/igd_description.ts";
import { decodeNatPmpResponse } from "../../lib/portmap/nat_pmp_message.ts";
import { decodePcpResponse } from "../../lib/portmap/pcp_message.ts";
import { decodeSoapAnswer } from "../../lib/portmap/soap_message.ts";
import { decodeSsdpAnswer } from "../../lib/portmap/ssdp_message.ts";
import type { FuzzTarget } from "./_engine.ts";
import type { Pieces } from "./_mutator.ts";

const ROUTER = { family: 4, host: "192.168.1.1", port: 1900 } as const;
const LOCATION = new URL("http://192.168.1.1:5000/root.xml");

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Tags and what is between them. */
const xmlPieces: Pieces = {
  split: (bytes) =>
    decoder.decode(bytes).split(/(?=<)|(?<=>)/).map((piece) => encoder.encode(piece)),
  join: (list) => encoder.encode(list.map((piece) => decoder.decode(piece)).join("")),
};

/** Lines of a head. */
const linePieces: Pieces = {
  split: (bytes) => decoder.decode(bytes).split(/(?<=\r\n)/).map((piece) => encoder.encode(piece)),
  join: xmlPieces.join,
};

function pcpMap(result: number): Uint8Array {
  const bytes = new Uint8Array(60);
  bytes.set([2, 0x81, 0, result, 0, 0, 14, 16, 0, 0, 1, 0]);
  bytes.fill(7, 24, 36);
  bytes.set([17, 0, 0, 0, 15, 160, 15, 161], 36);
  bytes.set([...new Array(10).fill(0), 0xff, 0xff, 203, 0, 113, 5], 44);
  return bytes;
}

const pcp: FuzzTarget = {
  name: "PCP response",
  seeds: [
    pcpMap(0),
    pcpMap(8),
    new Uint8Array([2, 0x80, 0, 0, ...new Array(20).fill(0)]),
    new Uint8Array([1, 0x81, 0, 1, ...new Array(20).fill(0)]),
  ],
  inputs: 20_000,
  check: (input) => {
    const response = decodePcpResponse(input);
    if (response === undefined) return "none";
    if (response.kind === "map") {
      assert.equal(response.nonce.length, 12);
      assert.ok(response.externalAddress.host.length > 0);
    }
    return response.kind === "map" ? `map ${Math.min(response.result, 14)}` : response.kind;
  },
};

const natPmp: FuzzTarget = {
  name: "NAT-PMP response",
  seeds: [
    [0, 128, 0, 0, 0, 0, 1, 0, 203, 0, 113, 5],
    [0, 129, 0, 0, 0, 0, 1, 0, 15, 160, 15, 161, 0, 0, 14, 16],
    [0, 129, 0, 2, 0, 0, 1, 0],
  ].map((bytes) => new Uint8Array(bytes)),
  inputs: 20_000,
  check: (input) => {
    const response = decodeNatPmpResponse(input);
    if (response === undefined) return "none";
    if (response.kind === "refused") assert.notEqual(response.result, 0);
    return response.kind === "refused" ? `refused ${response.request}` : response.kind;
  },
};

const ssdp: FuzzTarget = {
  name: "SSDP answer",
  pieces: linePieces,
  seeds: [
    "HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=60\r\nLOCATION: http://192.168.1.1:5000/root.xml\r\n" +
    "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n",
    "HTTP/1.0 200 OK\r\nlocation:\thttp://192.168.1.1/\r\n\r\n",
    "HTTP/1.1 200 OK\r\nLocation: http://user:pw@192.168.1.1/x\r\nLocation: http://[::1]/\r\n\r\n",
  ].map((text) => encoder.encode(text)),
  inputs: 10_000,
  check: (input) => {
    const url = decodeSsdpAnswer(input, ROUTER);
    if (url === undefined) return "none";
    assert.equal(url.protocol, "http:");
    assert.equal(url.hostname, ROUTER.host);
    assert.equal(url.username + url.password, "");
    return url.port === "" ? "default port" : "a port";
  },
};

const description: FuzzTarget = {
  name: "UPnP description",
  pieces: xmlPieces,
  seeds: [
    '<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><URLBase>http://192.168.1.1:5000' +
    "</URLBase><device><deviceList><device><deviceList><device><serviceList><service><serviceType>" +
    "urn:schemas-upnp-org:service:WANIPConnection:1</serviceType><controlURL>/ctl</controlURL>" +
    "</service></serviceList></device></deviceList></device></deviceList></device></root>",
    "<root><device><serviceList><service><serviceType>urn:schemas-upnp-org:service:WANPPPConnection:1" +
    "</serviceType><controlURL>http://evil.example/</controlURL></service></serviceList></device></root>",
    '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><root>&b;&b;</root>',
    "<root><constructor>1</constructor><device>__proto__</device></root>",
  ].map((text) => encoder.encode(text)),
  inputs: 1500,
  check: (input) => {
    const services = parseIgdDescription(decoder.decode(input), LOCATION);
    assert.ok(services.length <= 4);
    for (const { controlUrl } of services) {
      assert.equal(controlUrl.hostname, LOCATION.hostname);
      assert.equal(controlUrl.protocol, "http:");
    }
    return `${services.length} services`;
  },
};

const soap: FuzzTarget = {
  name: "SOAP answer",
  pieces: xmlPieces,
  seeds: [
    "<s:Envelope><s:Body><u:GetExternalIPAddressResponse><NewExternalIPAddress>203.0.113.5" +
    "</NewExternalIPAddress></u:GetExternalIPAddressResponse></s:Body></s:Envelope>",
    "<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>725</errorCode></UPnPError></detail>" +
    "</s:Fault></s:Body></s:Envelope>",
    "<Envelope><Body><GetExternalIPAddressResponse/></Body></Envelope>",
  ].map((text) => encoder.encode(text)),
  inputs: 1500,
  check: (input) => {
    const answer = decodeSoapAnswer(decoder.decode(input), "GetExternalIPAddress");
    if (answer === undefined) return "none";
    if (answer.kind === "fault") {
      assert.ok(Number.isInteger(answer.code) && answer.code >= 0 && answer.code < 1000);
      return "fault";
    }
    const value = answer.value("NewExternalIPAddress");
    assert.ok(value === undefined || typeof value === "string");
    assert.equal(answer.value("constructor"), undefined);
    return value === undefined ? "done" : "done with a value";
  },
};

/** Everything that comes from a router, or from who says that it is one. */
export const ROUTER_TARGETS: readonly FuzzTarget[] = [pcp, natPmp, ssdp, description, soap];
