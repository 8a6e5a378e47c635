"""The console: server-rendered pages in Polish and English over the same actions as the API and the command line.

Promise: every state has a URL, every screen works without JavaScript, nothing is asked from another machine, and no
number stands without its period and the people behind it.

    routes.py      the one table: method, path, handler, permission
    app.py         the ASGI app: session, guard, handler in the thread pool, error page
    screens/       one file per screen: read the request, call actions, answer
    views/         pure: what an action returned becomes what a template shows
    charts/        pure: numbers become inline SVG and a table
    templates/     pages (each its own partial: one block), macros (every one in the /ui gallery)
    language.py    Polish is the source; locale/en.po is read at run time
"""
