// a file of its own: a bundler gives a CommonJS package that is imported dynamically no names
export { Client, credentials, Metadata } from "@grpc/grpc-js";
