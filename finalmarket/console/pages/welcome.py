"""Where somebody who was invited, or whose password was ended, chooses one. Open to whoever has the link."""

from __future__ import annotations

from django.contrib.auth.views import PasswordResetConfirmView
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

welcome = sensitive_post_parameters()(
    never_cache(
        PasswordResetConfirmView.as_view(
            template_name="console/welcome.html", success_url=reverse_lazy("admin:login"), title="Choose a password"
        )
    )
)
