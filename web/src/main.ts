import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { startTicking } from './clock'
import { makeRouter } from './router'
import './style.css'

startTicking()
createApp(App).use(createPinia()).use(makeRouter()).mount('#app')
