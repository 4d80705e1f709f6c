"""A stand-in tenant: Entra, Graph, Intune's partner service, Workspace ONE and a pretend phone, in one process.

It imports nothing of the product, is never packaged, and speaks the vendors' wire protocols out of one world.
Read `world` (what exists), `tenant` and `scenarios` (how it begins), `deeds` (what a person does), `policy` (what
Conditional Access says of it), then one file per service (`entra`, `graph`, `intune`, `workspace_one`, `phone`), `control`
(how tests steer it) and `server`.
"""
