/**
 * A URL with its token, its query and its credentials cut out, for summaries and errors.
 * The token is the last part of the path.
 */
export function redacted(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname.slice(0, pathname.lastIndexOf("/"))}/***`;
  } catch {
    return "<not a URL>";
  }
}
