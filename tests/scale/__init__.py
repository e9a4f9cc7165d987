"""`make scale`: what work costs as it grows, beside what the machine can do at most; drawn into docs/pictures/scale/.

A part is a module with `measure(dose, say) -> list[Plot]`; the parts and their doses stand in __main__.py.
"""
