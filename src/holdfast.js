#!/usr/bin/env node
/**
 * Where the installed command starts: in plain JavaScript, so that Node need not load what takes the types out of
 * TypeScript (70 ms) where the compiled sources are kept.
 */
import './compile-cache.js'

await import('./main.ts')
