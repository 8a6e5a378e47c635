"""Which companies, teams or households do people belong to? Accounts with traits of their own, people with a role and a time, a tree.

An account never says that two people are one. Belonging is kept by identity, so joining and parting people moves it exactly.
"""
