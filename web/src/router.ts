/**
 * Which page is shown. Addresses are after `#`, so that the server needs to know one page only.
 *
 * The guard spares people a page that would be empty; what they may see the server decides.
 */
import {
  createRouter,
  createWebHashHistory,
  type RouteLocationRaw,
  type Router,
} from 'vue-router'

import type { User } from './api'
import NuisancePage from './leader/NuisancePage.vue'
import ReportPage from './leader/ReportPage.vue'
import WallPage from './leader/WallPage.vue'
import DeskPage from './pages/DeskPage.vue'
import OrderPage from './pages/OrderPage.vue'
import EventsPage from './pages/EventsPage.vue'
import MessagesPage from './pages/MessagesPage.vue'
import OversightPage from './pages/OversightPage.vue'
import PoolPage from './pages/PoolPage.vue'
import SignInPage from './pages/SignInPage.vue'
import StudiesPage from './pages/StudiesPage.vue'
import TicketPage from './pages/TicketPage.vue'
import { useSession } from './session'

/** Who has no desk: the pool is where they begin. */
const WORKS_ON_ORDERS: ReadonlySet<User['role']> = new Set([
  'dispatcher',
  'reviewer',
  'follow_up',
  'supervisor',
  'head',
  'unit',
])

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHashHistory(),
    routes: [
      { path: '/', name: 'desk', component: DeskPage },
      { path: '/sign-in', name: 'sign-in', component: SignInPage },
      { path: '/wall', name: 'wall', component: WallPage },
      { path: '/nuisance', name: 'nuisance', component: NuisancePage },
      { path: '/report', name: 'report', component: ReportPage },
      { path: '/events', name: 'events', component: EventsPage },
      { path: '/messages', name: 'messages', component: MessagesPage },
      { path: '/tickets/:number', name: 'ticket', component: TicketPage, props: true },
      { path: '/studies', name: 'studies', component: StudiesPage },
      { path: '/oversight', name: 'oversight', component: OversightPage },
      { path: '/orders', name: 'orders', component: PoolPage },
      { path: '/orders/:number', name: 'order', component: OrderPage, props: true },
      { path: '/:unknown(.*)*', redirect: { name: 'desk' } },
    ],
  })
  router.beforeEach((to) => {
    const user = useSession().user
    const isSignedIn = user !== null
    if (!isSignedIn && to.name !== 'sign-in') return signInFirst(to.fullPath)
    if (isSignedIn && to.name === 'sign-in') return wantedAfterSignIn(to.query['next'])
    if (user?.role === 'leader' && to.name === 'desk') return { name: 'wall' }
    if (user && user.role !== 'leader' && isLeaders(to.name)) return { name: 'desk' }
    if (to.name === 'desk' && user && WORKS_ON_ORDERS.has(user.role)) return { name: 'orders' }
    if (to.name === 'ticket' && user?.role === 'unit') {
      return { name: 'order', params: to.params }
    }
    return true
  })
  return router
}

function isLeaders(name: unknown): boolean {
  return name === 'wall' || name === 'report' || name === 'nuisance'
}

/** The way to a page that needs somebody signed in. */
export function signInFirst(wanted: string): RouteLocationRaw {
  return wanted === '/' ? { name: 'sign-in' } : { name: 'sign-in', query: { next: wanted } }
}

/** Only ways inside this page; the desk where none is named. */
export function wantedAfterSignIn(next: unknown): string {
  return typeof next === 'string' && /^\/(?!\/)/.test(next) ? next : '/'
}
