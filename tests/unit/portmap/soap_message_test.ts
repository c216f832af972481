import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeSoapAnswer,
  describeUpnpError,
  encodeSoapCall,
} from "../../../lib/portmap/soap_message.ts";
import { MAX_XML_LENGTH, parseXml } from "../../../lib/portmap/xml.ts";

function envelope(inner: string): string {
  return '<?xml version="1.0"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/' +
    `envelope/"><SOAP-ENV:Body>${inner}</SOAP-ENV:Body></SOAP-ENV:Envelope>`;
}

Deno.test("encodeSoapCall writes an action and its arguments in order", () => {
  const { headers, body } = encodeSoapCall("urn:x:1", "Act", [["NewA", 1], ["NewB", "c"]]);
  assert.equal(headers["soapaction"], '"urn:x:1#Act"');
  assert.ok(body.includes('<u:Act xmlns:u="urn:x:1"><NewA>1</NewA><NewB>c</NewB></u:Act>'));
});

Deno.test("decodeSoapAnswer reads what an action gave, whatever the prefixes", () => {
  const answer = decodeSoapAnswer(
    envelope('<m:ActResponse xmlns:m="urn:x:1"><NewIP> 203.0.113.7 </NewIP></m:ActResponse>'),
    "Act",
  );
  assert.equal(answer?.kind, "done");
  assert.equal(answer.value("NewIP"), "203.0.113.7");
  assert.equal(answer.value("NewPort"), undefined);
  assert.equal(answer.value("constructor"), undefined);
  assert.equal(decodeSoapAnswer(envelope("<u:ActResponse/>"), "Act")?.kind, "done");
});

Deno.test("decodeSoapAnswer reads the code of a fault", () => {
  const fault = (code: string): string =>
    envelope(
      "<s:Fault><faultcode>s:Client</faultcode><detail><UPnPError>" +
        `<errorCode>${code}</errorCode></UPnPError></detail></s:Fault>`,
    );
  assert.deepEqual(decodeSoapAnswer(fault("718"), "Act"), { kind: "fault", code: 718 });
  for (const code of ["", "-1", "7e9", "<b/>", "NaN"]) {
    assert.deepEqual(decodeSoapAnswer(fault(code), "Act"), { kind: "fault", code: 0 }, code);
  }
  assert.equal(describeUpnpError(718), "718 conflict in mapping entry");
  assert.equal(describeUpnpError(999), "999 unknown error");
});

Deno.test("decodeSoapAnswer refuses the answer to another action, and what is none", () => {
  assert.equal(decodeSoapAnswer(envelope("<u:OtherResponse/>"), "Act"), undefined);
  assert.equal(decodeSoapAnswer("<html><body>Not found</body></html>", "Act"), undefined);
  assert.equal(decodeSoapAnswer("", "Act"), undefined);
});

Deno.test("parseXml refuses what is too long, too deep, or grows", () => {
  assert.notEqual(parseXml(`<a>${"x".repeat(MAX_XML_LENGTH - 7)}</a>`), undefined);
  assert.equal(parseXml(`<a>${"x".repeat(MAX_XML_LENGTH - 6)}</a>`), undefined);
  assert.equal(parseXml("<a>".repeat(20_000)), undefined);
  const entities = Array.from(
    { length: 20 },
    (_, index) => `<!ENTITY e${index + 1} "${`&e${index};`.repeat(10)}">`,
  );
  const bomb = parseXml(`<!DOCTYPE a [<!ENTITY e0 "x">${entities.join("")}]><a>&e20;</a>`);
  assert.ok(JSON.stringify(bomb ?? {}).length < MAX_XML_LENGTH);
});

Deno.test("decodeSoapAnswer never throws", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    decodeSoapAnswer(text, "Act");
    decodeSoapAnswer(envelope(text), "Act");
  }));
});
