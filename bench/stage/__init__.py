"""What the benches stand on: a stand-in tenant with a crowd (`company`), the product's database filled alike (`fill`), its
workers as processes that can be killed (`crew`, `worker`), the seeded faults (`broken`), and the judge, who reads the sandbox's
books only.
"""
