/** Where the HTTP side is unless told otherwise. */
export const DEFAULT_HTTP_PORT = 8935;
