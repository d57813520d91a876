/** Name of the application that checks connectivity, unless the server defines another one of that name. */
export const CHECK_APPLICATION = "check";
