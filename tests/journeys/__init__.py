"""The whole product as a person meets it: sandbox, web and worker as they run in life, a real browser or plain HTTP.

`stage` starts it all, `player` is the person in a browser, `plain` the person with forms and links only.
"""
