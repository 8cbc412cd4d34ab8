import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// The bundle is committed and rebuilt by a test: nothing here may depend on time, place or machine.
export default defineConfig({
  base: './',
  plugins: [vue()],
  build: {
    target: 'es2022',
    // The polyfill would be an inline script, which the server's content policy forbids.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  define: { __VUE_OPTIONS_API__: 'false' },
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
})
