/** The console (Jakarta Faces, PrimeFaces) and REST over the broker's read-only views. */
package io.barnabas.web;
