/** Text that any field of a message can hold. */

const encoder = new TextEncoder();

/** Valid Unicode of at most `bytes` of UTF-8, cut at its end. */
export function scrub(text: string, bytes = 1024): string {
  const escaped = escapeSurrogates(text);
  const data = encoder.encode(escaped);
  return data.length > bytes ? `${decode(data.subarray(0, bytes - 3))}...` : escaped;
}

/** The same, cut in its middle. */
export function scrubMiddle(text: string, bytes: number): string {
  const escaped = escapeSurrogates(text);
  const data = encoder.encode(escaped);
  if (data.length <= bytes) {
    return escaped;
  }
  const mark = `\n... ${data.length - bytes} bytes cut ...\n`;
  const half = Math.floor((bytes - mark.length) / 2);
  return decode(data.subarray(0, half)) + mark + decode(data.subarray(data.length - half));
}

/** Short text in ASCII. */
export function ascii(text: string, characters = 1000): string {
  const escape = (char: string): string => {
    const code = char.codePointAt(0) ?? 0;
    return code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${hex(code)}`;
  };
  return text
    .slice(0, characters)
    .replace(/[^\x20-\x7e\n]/gu, escape)
    .slice(0, characters);
}

function escapeSurrogates(text: string): string {
  return text.isWellFormed()
    ? text
    : text.replace(/\p{Surrogate}/gu, (unit) => `\\u${hex(unit.charCodeAt(0))}`);
}

function hex(code: number): string {
  return code.toString(16).padStart(4, "0");
}

/** UTF-8 whose ends may be parts of characters, which are left out. */
function decode(data: Uint8Array): string {
  let begin = 0;
  let end = data.length;
  while (begin < end && isContinuation(data[begin])) {
    begin++;
  }
  let last = end - 1;
  while (last >= begin && isContinuation(data[last])) {
    last--;
  }
  const lead = data[last] ?? 0;
  const size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (last >= begin && end - last < size) {
    end = last;
  }
  return new TextDecoder().decode(data.subarray(begin, end));
}

function isContinuation(byte: number | undefined): boolean {
  return ((byte ?? 0) & 0xc0) === 0x80;
}
