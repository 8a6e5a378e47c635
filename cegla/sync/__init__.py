"""Who else should know? Segments kept in step with somebody else's system: who entered and left, as signed messages in order.

Promise: nobody is named without the gate's yes to the purpose of that address; whoever was named is taken back when they leave, object or are erased;
a message is sent again until it is taken, always with the same key, and what is refused for good is shown for thirty days.
"""
